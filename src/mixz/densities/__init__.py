"""What can be said of p(z): one arithmetic for training, exported models, metrics, reports and qp."""
