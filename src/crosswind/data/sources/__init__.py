"""The sources that data are read from, one file each; they declare themselves (see `data/source.py`)."""
