"""Two records, one answer: what that used to hold no longer holds?

It reads records, and needs neither TensorFlow nor the strategies.
"""
