"""Light port: remembers the colour."""


class Light:
    colour = "off"

    def show(self, colour):
        self.colour = colour
