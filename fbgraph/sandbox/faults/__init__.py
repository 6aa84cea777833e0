"""What scenarios do: functions that refuse a call, spoil a response, cut a page or change a number.
`hooks` says where they take hold and what they are given.

It imports `protocol`, `world`, `objects`, `insights` and `limits`. The rooms `scenarios`, `state`,
`endpoints` and `server` may import it.
"""
