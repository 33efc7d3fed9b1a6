# The version of all of tern, for whichever project() comes first.
set(TERN_VERSION 0.1.0)
