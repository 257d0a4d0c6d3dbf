"""Which recipes are near each other: by their words and their tags."""

from cookbook.recipe import Recipe

TAG_WEIGHT = 0.5  # of shared tags, beside the cosine of the words


def related(recipes: list[Recipe], count: int = 3) -> dict[str, list[str]]:
    """For each recipe, by key, the keys of the `count` recipes nearest to it, the nearest first.

    Nearness is the cosine between TF-IDF weights of the English texts (G. Salton, C. Buckley, 1988), plus the share of
    tags that both have among those that either has (Jaccard).
    """
    if len(recipes) < 2:
        return {recipe.key: [] for recipe in recipes}
    # Here, since only a build of the pages wants it, and the import takes a second.
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = ["\n".join(cell.source for cell in recipe.cells if cell.lang == "en") for recipe in recipes]
    weights = TfidfVectorizer(stop_words="english", sublinear_tf=True).fit_transform(texts)
    nearness = (weights @ weights.T).toarray()
    tags = [set(recipe.header["tags"]) for recipe in recipes]
    for row, mine in enumerate(tags):
        nearness[row] += [TAG_WEIGHT * len(mine & other) / len(mine | other) for other in tags]
    np.fill_diagonal(nearness, -1)
    order = np.argsort(-nearness, axis=1, kind="stable")[:, : min(count, len(recipes) - 1)]
    return {recipe.key: [recipes[n].key for n in row] for recipe, row in zip(recipes, order, strict=True)}
