"""The report of a day: what the journal says of it, as numbers, files and a page. It decides nothing and changes nothing.

`day` replays the journal and counts (with `trades`, `outages`, `doubts`); `files` writes the CSV files, `page` the HTML with the pictures
of `charts`. All of them but `charts`, `page` and `files` are pure. Run by `router.report_command`, in a process of its own.
"""
