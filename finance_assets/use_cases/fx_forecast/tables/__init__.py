"""Tables of fx_forecast, a file each."""
