import earthloom


def test_the_public_face_is_pinned() -> None:
    assert earthloom.__all__ == [
        "EarthloomError",
        "Recipe",
        "RecipeError",
        "RunError",
        "Summary",
        "UsageError",
        "build",
        "load_recipe",
    ]
    for name in earthloom.__all__:
        assert getattr(earthloom, name).__name__ == name
        assert name in dir(earthloom)


def test_other_names_are_refused() -> None:
    try:
        earthloom.weave  # noqa: B018
    except AttributeError as error:
        assert "weave" in str(error)
    else:
        raise AssertionError
