"""A thin, complete client for Meta's Graph and Marketing API. It knows nothing of tables."""

from fbgraph.client import API_VERSION, GRAPH_URL, GraphClient
from fbgraph.edge import Edge
from fbgraph.node import Node, act_id
from fbgraph.paging import Page
from fbgraph.reports import ReportRun
from fbgraph.request import Request

__all__ = [
    "API_VERSION",
    "GRAPH_URL",
    "Edge",
    "GraphClient",
    "Node",
    "Page",
    "ReportRun",
    "Request",
    "act_id",
]
