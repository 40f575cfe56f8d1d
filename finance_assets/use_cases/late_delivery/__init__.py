"""Late delivery: which flights out of New York will arrive more than 15 minutes late?"""
