"""customer_churn: which households stop buying, month by month."""
