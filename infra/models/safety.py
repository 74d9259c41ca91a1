def check_model_files(path): pass
