"""How a message leaves the house: one small file for each medium, behind one protocol."""
