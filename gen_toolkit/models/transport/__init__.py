"""How requests travel: two carriers of one shape, and what is the same for both. One file a third party."""
