"""
The live laboratory: a page on which experiments are run and watched.
"""
