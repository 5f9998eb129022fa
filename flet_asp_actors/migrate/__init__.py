"""What an app written with flet-asp on Flet 0.28 has to change: `python -m flet_asp_actors.migrate PATH`.

Where to read on, each module knowing only those before it:

    rules           the table: what is looked for, why, and the new form; the guide prints it
    flet_changes    names, arguments and methods of Flet that are called otherwise now
    source          a file as it is on the disk, and edits that leave the rest of it alone
    meaning         what an expression is: Flet's, a page, a store, a control, a function
    project         the files that are looked at together, and the keys that they declare
    finding         a place that a rule is about
    of_flet, of_values, of_state
                    the rules at work: Flet's names; what became of behaviour; the store
    report          findings as text
    __main__        the command

Nothing here imports Flet or runs the code that is looked at.
"""
