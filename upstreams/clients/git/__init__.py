"""Conversations with Git repositories, by way of the program git."""
