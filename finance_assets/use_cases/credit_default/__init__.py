"""Credit default: which card accounts will be two or more months late next month?"""
