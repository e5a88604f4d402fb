class Portfolio:
    def __init__(self, name):
        self.name = name
        self.positions = {}
        self.cash = 1000

    def buy(self, symbol, amount):
        self.positions[symbol] = self.positions.get(symbol, 0) + amount
        self.cash -= amount

    def value(self):
        total = self.cash
        for amount in self.positions.values():
            total += amount
        return total

    def rename(self, name):
        self.name = name
