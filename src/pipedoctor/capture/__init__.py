"""
Reaching the pipeline of an unmodified script: it is run as it is, up to where training starts.

Nothing is imported that the script does not import: adapters name the modules that they want to
see (`watched`), and are called right after such a module was executed.
"""
