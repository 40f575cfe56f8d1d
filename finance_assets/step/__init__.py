"""The step: what a unit of work declares, is given and gives back. The kinds are in steps/."""
