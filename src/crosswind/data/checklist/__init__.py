"""MultiCheckList's templates, and the test cases that are generated from them; data are no part of the code."""
