"""What the dashboard knows, without a control in it.

records     what a shop has            keys      what can change
screen      selectors: the window      figures   selectors: the shop's numbers
found       selectors: search, sort    form      selectors: the settings
actions     what a person has done     services  what runs meanwhile
"""
