"""Commands: what people ask of a use case, and the orders they give, as typed values.

What a command does is here or in model_life/; where it runs is decided in compute/, and how its
result is shown in cli/.
"""
