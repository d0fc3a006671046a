"""All that needs IPython or ipywidgets: the magic, the sign-in panel, progress and completion."""
