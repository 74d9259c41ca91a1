"""The embedded model server, and the wire format that it shares with the gateway.

python -m infra.serving --home .assay --port 8081
"""
