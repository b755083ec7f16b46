"""The middle tier: a vision-language model is asked what pixels cannot tell, and its answers become measurements."""
