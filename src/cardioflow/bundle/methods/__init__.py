"""Methods of the package that a bundle can run instead of models; each file holds one."""
