//! Talks to model APIs: request, stream events, usage, errors, retry. Does not know what a tool means.
