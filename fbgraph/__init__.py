"""A thin, complete client for Meta's Graph and Marketing API. It knows nothing of tables."""

from fbgraph.client import API_VERSION, GRAPH_URL, GraphClient
from fbgraph.http.paging import Page
from fbgraph.http.request import Request
from fbgraph.objects.edge import Edge
from fbgraph.objects.node import Node, act_id
from fbgraph.objects.report_run import ReportRun

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
