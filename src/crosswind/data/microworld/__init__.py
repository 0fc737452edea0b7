"""The microworld: artificial languages that share meanings, and what can be asked in them.

    world       concepts, their preferences for each other, what causes what
    names       persons, places and organisations, kept apart by split
    draws       random choices by a key
    frames      meanings: clauses and noun phrases of no language
    language    what a language is; languages: the declarations; scripts: how it is written
    lexicon     words and their forms; render: a frame in a language
    scenes      facts about a few people, what can be asked of them
    pairs, choices, tagging, questions, sentences, corpora     the examples of each kind
    generated   the source that tasks are read from

The world and its languages are fixed by `generated.VERSION`; a seed draws other examples.
"""
