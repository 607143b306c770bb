"""What people look at: pictures and pages of what the assertions and the linter have found.

`recorder` keeps what the assertions did until the plugin asks, `survey` measures a function over its inputs,
`picture` draws the measurements, `page` makes one HTML file of everything and `document` the JSON beside it.
"""
