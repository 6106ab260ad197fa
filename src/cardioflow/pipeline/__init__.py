"""The lazy pipeline: data sets, steps, expressions, variables and the engines that run them."""
