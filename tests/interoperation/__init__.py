"""
Our TCP against Linux's, over wires that lose, in many random transfers.
"""
