"""Where files are: a folder on this machine or a bucket, with one way to replace a file whole.

It knows no table; `lake` and `published` keep their files by it.
"""
