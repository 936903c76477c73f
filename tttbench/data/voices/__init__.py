"""Speech made of text: engines from package registries, the conditions it is given under, and its cache."""
