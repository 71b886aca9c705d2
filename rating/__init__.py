"""The kernel of rating: pure functions over plain values, standard library only.

Nothing here reads a clock, the environment or the network. `engine` folds the records of one log partition into charge
lines; everything else is what it is made of.
"""
