"""What verbs leave for others: the results folder, the record of what was made from what, tables of photo-z."""
