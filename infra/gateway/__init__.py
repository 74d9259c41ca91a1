"""The gateway: keys, limits, guard and request log in front of the model server.

python -m infra.gateway --home .assay --port 8080 --upstream http://127.0.0.1:8081
"""
