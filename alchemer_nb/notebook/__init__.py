"""All that needs IPython or ipywidgets: the magic, the sign-in panel, the download bar.

May import: client, accessor. ``demo.py`` alone may import the sandbox.
"""
