"""The tree of answers: prefixes, forced ends, order."""

from infra.serving.answers import AnswerTree


def walk(tree: AnswerTree, *tokens: int) -> AnswerTree:
    for token in tokens:
        tree = tree.branches[token]
    return tree


def test_nothing_to_choose() -> None:
    assert AnswerTree.of([]).next_tokens == ()
    assert AnswerTree.of([[5, 6, 2]]).only_way() == [5, 6, 2]


def test_branches_in_the_order_of_answers() -> None:
    tree = AnswerTree.of([[9, 2], [3, 4, 2], [3, 5, 2]])
    assert tree.next_tokens == (9, 3)
    assert tree.only_way() is None
    assert walk(tree, 9).only_way() == [2]
    assert walk(tree, 3).only_way() is None
    assert walk(tree, 3, 5).only_way() == [2]


def test_answer_that_begins_another() -> None:
    tree = AnswerTree.of([[3, 2], [3, 4, 2]])
    assert walk(tree, 3).next_tokens == (2, 4)
    assert walk(tree, 3, 2).only_way() == []
