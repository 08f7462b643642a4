"""The telephone line: a Twilio-compatible provider asks what to say, and tells what the caller did."""
