"""Segmenters of languages written without spaces that ICU has no dictionary of; see `data/segmenter.py`."""
