"""Asking a service from Python: `Client` and `AsyncClient`."""

from clout.serving.client.asking import Post
from clout.serving.client.client import AsyncClient, Client
from clout.serving.client.problem import Problem, QuestionError, UnreachableError

__all__ = ["AsyncClient", "Client", "Post", "Problem", "QuestionError", "UnreachableError"]
