"""The demo, `azotte run`: an AI platform's usage, published live, and what azotte makes of it in the terminal."""
