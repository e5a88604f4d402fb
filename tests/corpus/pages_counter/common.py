counts = {"home": 0}
total = 0


def count(page):
    global total
    total += 1
    counts[page] += 1
    return total
