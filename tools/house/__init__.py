"""The size of the house: what somebody has to read before they can change it, as figures beside their goals."""
