"""What the WFDB format is made of: header text, signal files, annotation files.

After the manual pages header(5), signal(5) and annot(5) of the WFDB Applications
Guide (https://physionet.org/physiotools/wag/).
"""
