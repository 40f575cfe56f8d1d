"""fx_forecast: where will USD/BRL be, one and five business days from now?"""
