"""Where files are: a folder on this machine or a bucket, with one way to replace a file whole.

It knows no tables; `lake` and `published` keep their files with it.
"""
