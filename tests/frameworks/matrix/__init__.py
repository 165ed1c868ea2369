"""`make matrix`: warpbench beside each framework in which agents are written."""
