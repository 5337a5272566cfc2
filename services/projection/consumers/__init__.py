"""What the view is made of: public order events, through Faust."""
