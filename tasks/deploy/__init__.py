"""Deploy: package, sign, approve, roll out, roll back."""
