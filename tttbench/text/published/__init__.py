"""Normal forms that published evaluations compare, each as the steps that make it. Written anew from what they do."""
