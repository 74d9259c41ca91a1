"""When things happen: one DAG a phase, the nightly chain, deployments and the command line."""
